"""What growth did to the mix of the rows: who got rows, which mentions lived, which pronouns turned, what drifted."""
