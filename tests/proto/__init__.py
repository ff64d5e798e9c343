"""profile.proto and the module that protoc generates from it (`make proto`)."""
