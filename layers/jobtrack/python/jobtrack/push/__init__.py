"""Pushes a job's events to the receivers of its subscriptions.

The packages form layers, from the lowest: `egress` (guarded HTTP), `messages` (the delivery queue), `subscriptions`,
then `dispatch` (outbox to queue) and `delivery` (queue to webhook), and `websockets`.
"""
