"""Mathematics and weights of diffusion models, undecorated."""
