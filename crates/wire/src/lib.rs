//! Request and response bodies, shared by server and clients.
