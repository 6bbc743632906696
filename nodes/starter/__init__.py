"""The starter model: a small latent diffusion model that this project trains from nothing."""
