namespace SafeLlama.Serving;

/// <summary>All slots are taken, and as many sequences wait as may.</summary>
public sealed class QueueFullException(int waiting, int limit)
    : Exception($"The queue is full: {waiting} sequences wait, and {limit} may. Ask again later.");

/// <summary>The engine takes no requests any more.</summary>
public sealed class EngineStoppedException(Exception? fault)
    : Exception(fault is null ? "The server is stopping." : "The engine has failed.", fault);
