"""What the worked examples need of PyTorch, a part a file: derivatives by autograd, a gate, attacks, adapters."""
