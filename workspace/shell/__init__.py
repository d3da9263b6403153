"""Qt: the window, the work surface and the component kit. The only room that may import Qt."""
