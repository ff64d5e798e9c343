"""What is run with an installed wheel alone: no test, and no import of the checkout."""
