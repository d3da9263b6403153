"""What a vendor imports: views, actions and components. Standard library only."""
