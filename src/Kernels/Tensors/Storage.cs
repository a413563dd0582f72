namespace SafeLlama.Kernels;

/// <summary>A block of memory that a backend owns: on the host, or on a device.</summary>
public abstract class Storage : IDisposable
{
    public abstract long ByteCount { get; }

    /// <summary>Copies bytes to the host; on a device this waits for earlier work.</summary>
    public abstract void Read(long byteOffset, Span<byte> destination);

    /// <summary>Copies bytes from the host.</summary>
    public abstract void Write(long byteOffset, ReadOnlySpan<byte> source);

    /// <summary>Sets bytes to zero.</summary>
    public abstract void Clear(long byteOffset, long byteCount);

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}
