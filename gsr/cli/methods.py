"""`gsr info --methods`: the networks side by side."""

from dataclasses import asdict
from typing import Any

COLUMNS = ("method", "encoder", "parameters", "head", "MAC/HR literal", "MAC/HR", "MAC/LR")


def method_rows() -> list[dict[str, Any]]:
    """Size and cost of every network that can be trained, with the encoder of its preset."""
    from gsr.methods import NETWORKS, new_network
    from gsr.methods.cost import parameters

    rows = []
    for name in NETWORKS:
        network = new_network(name)
        cost = network.cost()
        encoder, total = network.config.encoder, parameters(network)
        rows.append(
            {
                "method": name,
                "encoder": asdict(encoder),
                "parameters": total,
                "head_parameters": total - parameters(network.encoder),
                "mac_per_hr_pixel_literal": cost.literal,
                "mac_per_hr_pixel": cost.here,
                "mac_per_lr_pixel": cost.lr,
            }
        )
    return rows


def method_table(rows: list[dict[str, Any]]) -> list[str]:
    """The rows as aligned lines, and what the columns mean."""
    cells = [COLUMNS, *(tuple(map(_cell, row.values())) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in cells
    ]
    return [
        *lines,
        "",
        "MAC: multiply-accumulates of the head, per output (HR) or source (LR) pixel; literal is",
        "the published form, the others are what is computed here, with the same result.",
    ]


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        from gsr.network.encoders import AnyEncoderConfig

        return str(AnyEncoderConfig.kinds()[value["kind"]](**value).label)
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else str(value)
