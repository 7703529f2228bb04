"""What several folders of tests share: servers, keys, services and rules."""
