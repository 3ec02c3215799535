"""What things cost, side by side in one run: `make bench`. A figure here decides nothing."""
