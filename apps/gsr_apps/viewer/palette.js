// Made by `python -m gsr_apps.viewer.palette` from gsr/network/colors.py.

export const TABLE = {
  ramp: [[68, 24, 92], [62, 74, 137], [38, 130, 142], [53, 183, 121], [170, 220, 50], [253, 231, 60]],
  ramp_steps: 64,
  longest: 2.5,
  small: 0.3,
  large: 1.0,
  light: 0.76,
  darker: 0.24,
  direction: {"lightness": 0.62, "saturation": 0.85, "steps": 360},
  round_below: 1.15,
  round: "#d8d8d8",
  size_from: 0.25,
  size_octaves: 2.6,
  number: {"turn": 0.618034, "lightness": 0.62, "saturation": 0.75},
};
