"""What is kept on disk, killed while it is written and damaged at random: the next start shows nothing false.

    python -m tests.damage kill --times 100        kill -9 while statistics, evidence and a capture are written
    python -m tests.damage change --times 250      so many random damages of each kind of file
    python -m tests.damage change --seed 7 --only 42 statistics

Each thing that is kept is written by steps that follow from their numbers alone, so that everything which is read back
can be held against what was written (`kept.py`): it is either there as it was written, or it is not there. What is
missing must have been counted or refused.
"""
