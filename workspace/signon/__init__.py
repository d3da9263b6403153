"""One login: OpenID Connect with code and PKCE, tokens kept fresh, sign-out."""
