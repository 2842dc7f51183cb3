"""Load tests of the gateway and of what it is compared with."""
