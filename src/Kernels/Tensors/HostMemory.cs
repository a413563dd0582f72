using System.Runtime.InteropServices;
using SafeLlama.Common;

namespace SafeLlama.Kernels;

/// <summary>
/// Host memory outside the garbage collector's heap: allocated here (64-byte aligned), or borrowed from a mapped file.
/// </summary>
public sealed unsafe class HostMemory : Storage
{
    private readonly IDisposable? _owner;
    private readonly bool _borrowed;
    private byte* _pointer;

    /// <summary>Allocates <paramref name="byteCount"/> bytes, set to zero.</summary>
    /// <exception cref="SafeLlamaException">The system has not enough memory.</exception>
    public HostMemory(long byteCount, string what)
    {
        ByteCount = byteCount;
        try
        {
            _pointer = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(64, byteCount), 64);
        }
        catch (OutOfMemoryException)
        {
            throw SafeLlamaException.DoesNotFit(
                $"{what}: {byteCount / 1e6:F0} MB could not be allocated.",
                "lower `MicroBatch`", "lower `BatchSize`", "lower `MaxLength`");
        }

        NativeMemory.Clear(_pointer, (nuint)byteCount);
    }

    /// <summary>Borrows memory that <paramref name="owner"/> keeps alive, such as a mapped file.</summary>
    public HostMemory(nint pointer, long byteCount, IDisposable? owner)
    {
        _pointer = (byte*)pointer;
        (ByteCount, _owner, _borrowed) = (byteCount, owner, true);
    }

    public override long ByteCount { get; }

    public byte* Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(_pointer is null, this);
            return _pointer;
        }
    }

    public override void Read(long byteOffset, Span<byte> destination) =>
        new ReadOnlySpan<byte>(Pointer + Within(byteOffset, destination.Length), destination.Length)
            .CopyTo(destination);

    public override void Write(long byteOffset, ReadOnlySpan<byte> source) =>
        source.CopyTo(new Span<byte>(Pointer + Within(byteOffset, source.Length), source.Length));

    public override void Clear(long byteOffset, long byteCount) =>
        NativeMemory.Clear(Pointer + Within(byteOffset, byteCount), (nuint)byteCount);

    protected override void Dispose(bool disposing)
    {
        if (!_borrowed && _pointer is not null)
        {
            NativeMemory.AlignedFree(_pointer);
        }

        _pointer = null;
        if (disposing)
        {
            _owner?.Dispose();
        }
    }

    ~HostMemory() => Dispose(disposing: false);

    private long Within(long offset, long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + count, ByteCount);
        return offset;
    }
}
