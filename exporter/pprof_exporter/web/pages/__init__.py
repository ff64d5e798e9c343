"""The HTML pages for people: each is loaded when it is first requested."""
