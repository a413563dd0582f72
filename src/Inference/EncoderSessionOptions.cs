using SafeLlama.Kernels;

namespace SafeLlama.Inference;

/// <summary>How an <see cref="EncoderSession"/> is opened.</summary>
public sealed record EncoderSessionOptions
{
    /// <summary>Where an adapter and a head of one output were trained on it, or null.</summary>
    public string? Trained { get; init; }

    /// <summary>The session closes the backend, also where opening fails.</summary>
    public bool OwnsBackend { get; init; }

    /// <summary>The bytes it may use; the device's own memory, or the host's, where not given.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>Of these, the bytes that sessions opened before it hold.</summary>
    public long TakenBytes { get; init; }

    /// <summary>The bytes that are left for it.</summary>
    public long Available(IBackend backend) => Math.Max(
        0, (MemoryBytes ?? backend.MemoryBytes ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes) - TakenBytes);
}
