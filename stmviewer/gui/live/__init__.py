"""The live folder: the newest finished scan opens, and is restored as it lands if wished."""
