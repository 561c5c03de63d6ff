"""How each provider pays creators: a rail beside the driver that takes their customers' money."""
