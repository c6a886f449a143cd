"""The network for a page: weights as one message, and the JavaScript that runs them.

`STATIC` holds the modules: convolutions by WebGL2, by WebAssembly or in plain numbers, and a pool
of workers that encode a picture tile by tile.
"""

from pathlib import Path

STATIC = Path(__file__).parent
"""Folder of the ES modules."""
