"""An attack on the product: hostile inputs, made from a seed, fed to it as a user would.

`python -m tests.attack` runs it all and writes docs/reliability.md; `test_attack.py` is a short
part.

- `sound`, `damage`, `handmade`, `metadata`: pictures; `documents`: fields, weights, edits, recipes;
  `calls`: requests; `folders`: folders of odd names and files that are none.
- `feeding`: long-lived processes that take one input after the other, watched from outside;
  `running`: command lines; `serving`: a server and its clients; `killing`, `crowding`.
- `truth`: what Pillow makes of a picture, for comparison.

Every input is a function of (seed, index) alone: `python -m tests.attack --show pictures:123`.
"""
