"""The system views and the records behind them."""
