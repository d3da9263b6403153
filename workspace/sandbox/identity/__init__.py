"""An OpenID provider whose login page offers the people of the synthetic home."""
