"""A graph as type checkers see it: checked, never run. A wrong link that is no error any more fails.

`type: ignore` speaks to mypy, `pyright: ignore` to pyright; both complain of one that is not needed.
"""

from engine.artifacts import Artifact
from engine.graph import Graph
from nodes.control import control_net_apply
from nodes.image import load_image
from nodes.latents import empty_latent, set_latent_mask
from nodes.loaders import load_checkpoint, load_controlnet
from nodes.logic import join_text, not_, switch
from nodes.noisy_latents import noise_latents, read_noisy_latents, set_noisy_latents
from nodes.output import save_image
from nodes.sampling import finish_sampling, ksampler, sample_steps, start_sampling
from nodes.states import SamplerState
from nodes.text import clip_encode
from nodes.vae import vae_decode, vae_encode
from nodes.values import Conditioning, Image, Latents

graph = Graph()
checkpoint = graph.add(load_checkpoint, checkpoint="starter.safetensors")
cat: Conditioning = graph.add(clip_encode, checkpoint.text_encoder, text="a cat")
nothing = graph.add(clip_encode, checkpoint.text_encoder)
start = graph.add(empty_latent, width=128, height=128)
latents: Latents = graph.add(ksampler, checkpoint.model, cat, nothing, start, seed=3)
image: Image = graph.add(vae_decode, checkpoint.vae, latents)
saved: list[Artifact] = graph.add(save_image, image, name="cat")
photo = graph.add(load_image, image="cat.png")
encoded = graph.add(vae_encode, checkpoint.vae, photo.image)
masked = graph.add(set_latent_mask, encoded, photo.mask)
edges = graph.add(load_controlnet, controlnet="edges.safetensors")
controlled = graph.add(control_net_apply, cat, nothing, edges, photo.image)
begun: SamplerState = graph.add(start_sampling, checkpoint.model, start, steps=4)
halfway = graph.add(sample_steps, checkpoint.model, cat, nothing, begun, count=2)
rest = graph.add(sample_steps, checkpoint.model, cat, nothing, halfway.state)
ended: Latents = graph.add(finish_sampling, rest.state)
noisy: Latents = graph.add(read_noisy_latents, halfway.state)
kept: Latents = graph.add(noise_latents, halfway.state, start, level="before")
mixed: SamplerState = graph.add(set_noisy_latents, halfway.state, kept)
done: bool = graph.add(not_, rest.done)
chosen: Latents = graph.add(switch, True, lambda: masked, lambda: start)
text: str = graph.add(join_text, ["a", "b"])

# The wrong output of the right node
graph.add(clip_encode, checkpoint.vae)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.add(vae_decode, checkpoint.model, latents)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.add(set_latent_mask, encoded, photo.image)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.add(vae_encode, checkpoint.vae, photo.mask)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

# The wrong node
graph.add(ksampler, checkpoint.model, cat, nothing, image)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.add(ksampler, edges, cat, nothing, start)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.add(save_image, latents)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.add(ksampler, checkpoint.model, controlled, nothing, start)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.add(sample_steps, checkpoint.model, cat, nothing, start)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.add(sample_steps, checkpoint.model, cat, nothing, rest.done)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.add(vae_decode, checkpoint.vae, rest.state)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.add(finish_sampling, latents)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.add(ksampler, checkpoint.model, cat, nothing, begun)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.add(set_noisy_latents, kept, begun)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.add(join_text, [cat])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]

# An output that is not there
graph.add(vae_decode, checkpoint.vea, latents)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
graph.add(vae_encode, checkpoint.vae, photo.picture)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]

# A link that is missing, one too many, or one where a value belongs
graph.add(ksampler, checkpoint.model, cat, nothing)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
graph.add(not_, True, True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
graph.add(clip_encode, checkpoint.text_encoder, text=cat)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

# A value with the wrong name, of the wrong type, or none of the choices
graph.add(ksampler, checkpoint.model, cat, nothing, start, cfg=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
graph.add(ksampler, checkpoint.model, cat, nothing, start, steps="many")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.add(ksampler, checkpoint.model, cat, nothing, start, sampler="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

# What comes out, taken for something else
pixels: Image = graph.add(ksampler, checkpoint.model, cat, nothing, start)  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
picked: Image = graph.add(switch, True, lambda: masked, lambda: start)  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
