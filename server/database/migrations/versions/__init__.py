"""One module for each revision; never changed after its release."""
