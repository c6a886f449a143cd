"""Pages on disk in a real browser, with the network off."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

ENCODED = """async (ways) => {
  const { encoder } = window.gsrPage;
  encoder.ways = ways;
  encoder.only = true;
}"""
MAP = """(name) => {
  const { values } = window.gsrPage.showing.field.maps[name];
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) {
    text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  }
  return btoa(text);
}"""


def opened_file(browser: Any, file: Path, query: str = "") -> Any:
    """A page from disk; everything that goes wrong is in its `problems`."""
    context = browser.new_context(offline=True, accept_downloads=True)
    page = context.new_page()
    page.problems = []
    page.on("console", lambda m: page.problems.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.goto(file.as_uri() + query)
    return page


def encoded_map(page: Any, name: str, height: int, width: int) -> Tensor:
    """A map of the field that a page made. [channels, h, w]"""
    data = base64.b64decode(page.evaluate(MAP, name))
    return torch.from_numpy(np.frombuffer(data, "<f4").copy()).reshape(-1, height, width)
