using System.IO.MemoryMappedFiles;
using System.Security.Cryptography;
using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>A GGUF file, memory-mapped: its checked header, and its data as memory.</summary>
public sealed unsafe class GgufFile : IDisposable
{
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _pointer;
    private bool _closed;

    private GgufFile(GgufHeader header)
    {
        Header = header;
        _map = MemoryMappedFile.CreateFromFile(header.Path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        _view = _map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _pointer);
        var length = header.Tensors.Values.Select(t => t.Offset + t.ByteCount).DefaultIfEmpty().Max();
        if ((long)_view.SafeMemoryMappedViewHandle.ByteLength < length)
        {
            Dispose();
            throw new IOException("the file has become shorter since its header was read.");
        }

        Memory = new HostMemory((nint)_pointer, length, owner: null);
    }

    public GgufHeader Header { get; }

    /// <summary>The file up to the end of its last tensor; valid until this is disposed.</summary>
    public HostMemory Memory { get; } = null!;

    /// <exception cref="SafeLlamaException">The file is missing or not what the format allows.</exception>
    public static GgufFile Open(string path) => Open(GgufHeader.Read(path));

    /// <summary>Maps a file whose header was read.</summary>
    public static GgufFile Open(GgufHeader header)
    {
        try
        {
            return new GgufFile(header);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw SafeLlamaException.Failure($"{header.Path}: cannot be read: {FileErrors.Reason(e, header.Path)}", e);
        }
    }

    /// <summary>Bytes of a tensor; at most what a span holds.</summary>
    public ReadOnlySpan<byte> Bytes(GgufTensor tensor, long from, long count) =>
        from >= 0 && count >= 0 && from + count <= tensor.ByteCount
            ? new(Memory.Pointer + tensor.Offset + from, checked((int)count))
            : throw new ArgumentOutOfRangeException(nameof(from));

    /// <summary>SHA-256 of the tensor's bytes.</summary>
    internal byte[] HashOf(GgufTensor tensor)
    {
        const int PartBytes = 1 << 26;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var from = 0L; from < tensor.ByteCount; from += PartBytes)
        {
            hash.AppendData(Bytes(tensor, from, Math.Min(PartBytes, tensor.ByteCount - from)));
        }

        return hash.GetHashAndReset();
    }

    public void Dispose()
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        Memory?.Dispose();
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
        GC.SuppressFinalize(this);
    }
}
