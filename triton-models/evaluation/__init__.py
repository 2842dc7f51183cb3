"""How good the models are, and the judges that say so."""
