"""The product as a user has it: deployed by sam to a local AWS."""
