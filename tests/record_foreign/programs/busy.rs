// A small busy program: generics, closures, trait objects, sorting and hashing.
use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::hash::Hash;
use std::time::{Duration, Instant};

mod ledger {
    use super::*;

    pub trait Score {
        fn score(&self, round: u64) -> u64;
    }

    pub struct Mixed<T>(pub T);

    impl<T: Into<u64> + Copy> Score for Mixed<T> {
        #[inline(never)]
        fn score(&self, round: u64) -> u64 {
            (0..2_000u64).fold(self.0.into(), |sum, step| sum.rotate_left(5) ^ step.wrapping_mul(round | 1))
        }
    }

    pub struct Table<K, V> {
        pub rows: HashMap<K, Vec<V>>,
    }

    impl<K: Eq + Hash + Clone + Display, V: Copy + Ord> Table<K, V> {
        #[inline(never)]
        pub fn add(&mut self, key: &K, value: V) {
            let row = self.rows.entry(key.clone()).or_default();
            row.push(value);
            if row.len() > 400 {
                row.clear();
            }
        }

        #[inline(never)]
        pub fn largest(&self) -> BTreeMap<String, V> {
            self.rows.iter().filter_map(|(key, row)| row.iter().max().map(|most| (key.to_string(), *most))).collect()
        }
    }
}

use ledger::{Mixed, Score, Table};

#[inline(never)]
fn sorted_by<T: Clone, F: Fn(&T) -> u64>(items: &[T], key: F) -> Vec<T> {
    let mut copy = items.to_vec();
    copy.sort_by_key(|item| std::cmp::Reverse(key(item)));
    copy
}

fn main() {
    let scores: Vec<Box<dyn Score>> = vec![Box::new(Mixed(7u8)), Box::new(Mixed(70_000u32))];
    let mut table: Table<String, u64> = Table { rows: HashMap::new() };
    let end = Instant::now() + Duration::from_secs(3);
    let mut round = 0u64;
    let mut kept = 0u64;
    while Instant::now() < end {
        round += 1;
        let marks: Vec<u64> = (0..3_000).map(|step: u64| step.wrapping_mul(round).wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
        let ordered = sorted_by(&marks, |mark| mark >> 7);
        for (place, score) in scores.iter().enumerate() {
            table.add(&format!("row-{}", (round + place as u64) % 97), score.score(ordered[0] ^ round));
        }
        kept ^= table.largest().values().copied().max().unwrap_or_default();
    }
    println!("{} rows, {}", table.rows.len(), kept > 0);
}
