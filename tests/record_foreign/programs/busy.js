'use strict';
/** A small busy program profiled by the package itself: methods, closures, an anonymous function and the collector. */
const fs = require('fs');
const path = require('path');
const { time, heap, encodeSync } = require(process.argv[2]);
const out = process.argv[3];

class Basket {
  constructor() { this.rows = new Map(); }
  add(key, value) {
    const row = this.rows.get(key) ?? [];
    row.push(value);
    this.rows.set(key, row.length > 200 ? row.slice(0, 20) : row);
  }
  get total() { return [...this.rows.values()].flat().reduce((sum, value) => sum + value.length, 0); }
}

function sortedWords(count, seed) {
  const words = Array.from({ length: count }, (_, place) => `word-${(place * seed) % 7919}`);
  return words.sort((left, right) => (left < right ? -1 : 1));
}

const kept = [];
function work(milliseconds) {
  const basket = new Basket();
  const end = Date.now() + milliseconds;
  for (let round = 1; Date.now() < end; round++) {
    sortedWords(2000, round).forEach(function (word) { basket.add(word.length, word); });
    JSON.parse(JSON.stringify([...basket.rows]));
    if (round % 4 === 0 && kept.length < 400) kept.push(new Array(2000).fill(round));
  }
  return basket.total;
}

heap.start(64 * 1024, 32);
time.start({ intervalMicros: 10000, durationMillis: 3000, lineNumbers: false });
work(2500);
fs.writeFileSync(path.join(out, 'node-time.pb.gz'), encodeSync(time.stop()));
fs.writeFileSync(path.join(out, 'node-heap.pb.gz'), encodeSync(heap.profile()));
