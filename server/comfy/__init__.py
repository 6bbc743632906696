"""ComfyUI at the border: its workflow files and its API, told in Darkroom's terms."""
