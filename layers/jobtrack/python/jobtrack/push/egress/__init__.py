"""Outbound HTTP to addresses that tenants chose: public hosts only, within a deadline."""
