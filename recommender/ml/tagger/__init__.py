"""What is praised and what is blamed in a text: tags for its words, in any language whose words are known."""
