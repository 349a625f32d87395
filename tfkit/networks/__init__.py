"""Networks that recipes of several rooms assemble."""
