"""The viewer: one plain JavaScript core and the Python side of its transport.

A host (web app, notebook widget) serves the files of `STATIC` and answers the questions of
`viewer.js` with `payloads`.
"""

from pathlib import Path

STATIC = Path(__file__).parent
"""Folder of the ES modules and the style sheet."""
