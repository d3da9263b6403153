"""What the gallery and the component reference show: every component, written as a vendor would write it."""
