"""The shared record: fetch once, watch live, write durably, keep drafts."""
