using SafeLlama.Kernels;

namespace SafeLlama.Inference;

/// <summary>How an <see cref="EncoderSession"/> is opened.</summary>
public sealed record EncoderSessionOptions
{
    /// <summary>Where an adapter and a head of one output were trained on it, or null.</summary>
    public string? Trained { get; init; }

    /// <summary>The session closes the backend, also when opening fails.</summary>
    public bool OwnsBackend { get; init; }

    /// <summary>The bytes that the session may use; by default the memory of the device or of the host.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>How many of these bytes earlier sessions hold.</summary>
    public long TakenBytes { get; init; }

    /// <summary>The bytes that remain for this session.</summary>
    public long Available(IBackend backend) => Math.Max(
        0, (MemoryBytes ?? backend.MemoryBytes ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes) - TakenBytes);
}
