using System.IO.MemoryMappedFiles;
using System.Security.Cryptography;
using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>Where one tensor stands in a safetensors file.</summary>
/// <param name="Type">Its stored type, as the file spells it: F32, F16, BF16, I32 …</param>
/// <param name="Offset">Bytes from the start of the file.</param>
public sealed record SafetensorsEntry(string Name, string Type, Shape Shape, long Offset, long ByteCount);

/// <summary>
/// A safetensors file, memory-mapped: a JSON header with names, types and places, then raw little-endian data.
/// </summary>
/// <remarks>
/// Before any data is read, the header is checked against the file's size: the format requires offsets that are in
/// range, contiguous and without overlap. https://github.com/huggingface/safetensors (format).
/// </remarks>
public sealed unsafe class SafetensorsFile : IDisposable
{
    /// <summary>The format's own bound on the header, 100 MB.</summary>
    private const long HeaderLimit = 100_000_000;

    /// <summary>A whole number of elements of any type, and few enough bytes for a span.</summary>
    private const int PartBytes = 1 << 30;

    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _pointer;
    private bool _closed;

    private SafetensorsFile(string path, MemoryMappedFile map, long length)
    {
        Path = path;
        ByteCount = length;
        _map = map;
        _view = map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _pointer);
        Memory = new HostMemory((nint)_pointer, length, owner: null);
    }

    public string Path { get; }

    public long ByteCount { get; }

    /// <summary>The whole file as memory; valid until this is disposed.</summary>
    public HostMemory Memory { get; }

    /// <summary>The tensors by name, in the order of their data.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries { get; private set; } =
        new Dictionary<string, SafetensorsEntry>();

    public IReadOnlyDictionary<string, string> Metadata { get; private set; } = new Dictionary<string, string>();

    /// <exception cref="SafeLlamaException">
    /// The file is missing or truncated, or its header breaks the format.
    /// </exception>
    public static SafetensorsFile Open(string path)
    {
        SafetensorsFile? file = null;
        try
        {
            var length = FileFacts.Length(path);
            if (length < 8)
            {
                throw SafeLlamaException.InvalidData(
                    $"{path}: has {length} bytes, expected at least the 8 of a safetensors header.");
            }

            var map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
            file = new SafetensorsFile(path, map, length);
            file.ReadHeader();
            return file;
        }
        catch (FileNotFoundException e)
        {
            throw new SafeLlamaException(ExitCode.InvalidData, $"{path}: not found.", e);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            file?.Dispose();
            throw SafeLlamaException.Failure($"{path}: cannot be read: {FileErrors.Reason(e, path)}", e);
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    }

    /// <summary>The bytes of one tensor.</summary>
    /// <exception cref="SafeLlamaException">They are more than a span can hold, 2 GiB.</exception>
    public ReadOnlySpan<byte> Bytes(SafetensorsEntry entry) => entry.ByteCount <= int.MaxValue
        ? new(Memory.Pointer + entry.Offset, (int)entry.ByteCount)
        : throw SafeLlamaException.DoesNotFit(
            $"{Path}: tensor '{entry.Name}' {entry.Shape} {entry.Type} has {entry.ByteCount} bytes; "
            + $"at most {int.MaxValue} can be copied at a time.");

    /// <summary>The place of the tensor's first NaN or infinity; null where all of it is finite.</summary>
    public long? FirstNonFinite(SafetensorsEntry entry)
    {
        var type = NumberType(entry);
        for (var from = 0L; from < entry.ByteCount; from += PartBytes)
        {
            if (NonFinite.First(Part(entry, from), type) is { } place)
            {
                return (from / type.Size()) + place;
            }
        }

        return null;
    }

    /// <summary>SHA-256 of the tensor's bytes.</summary>
    internal byte[] HashOf(SafetensorsEntry entry)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var from = 0L; from < entry.ByteCount; from += PartBytes)
        {
            hash.AppendData(Part(entry, from));
        }

        return hash.GetHashAndReset();
    }

    /// <summary>The tensor's bytes, a few at a time.</summary>
    internal IEnumerable<byte[]> Parts(SafetensorsEntry entry)
    {
        for (var from = 0L; from < entry.ByteCount; from += PartBytes)
        {
            yield return Part(entry, from).ToArray();
        }
    }

    /// <summary>The tensor's type, where it is one that a weight may have.</summary>
    /// <exception cref="SafeLlamaException">Its numbers are not floating-point ones of 16 to 64 bits.</exception>
    public DType WeightType(SafetensorsEntry entry) => NumberType(entry) is var type && type != DType.Int32
        ? type
        : throw SafeLlamaException.InvalidData(
            $"{Path}: tensor '{entry.Name}' stores {entry.Type}, expected F32, F16 or BF16. Convert the checkpoint "
            + "first.");

    /// <summary>The tensor's type, where it is one that a <see cref="Tensor"/> may have.</summary>
    public DType NumberType(SafetensorsEntry entry) => entry.Type switch
    {
        "F32" => DType.Float32,
        "F16" => DType.Float16,
        "BF16" => DType.BFloat16,
        "I32" => DType.Int32,
        "F64" => DType.Float64,
        _ => throw SafeLlamaException.InvalidData(
            $"{Path}: tensor '{entry.Name}' stores {entry.Type}, expected F32, F16 or BF16. Convert the checkpoint "
            + "first."),
    };

    /// <summary>A tensor over the file's memory, in its stored type.</summary>
    public Tensor Import(SafetensorsEntry entry, IBackend backend) =>
        backend.Import(Memory, entry.Offset, entry.Shape, WeightFormat.Of(WeightType(entry)), entry.Name);

    /// <summary>Closes the file; a tensor over its memory then throws when it is read.</summary>
    public void Dispose()
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        Memory.Dispose();
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
        GC.SuppressFinalize(this);
    }

    private ReadOnlySpan<byte> Part(SafetensorsEntry entry, long from) =>
        new(Memory.Pointer + entry.Offset + from, (int)Math.Min(PartBytes, entry.ByteCount - from));

    private void ReadHeader()
    {
        GitPointer.Refuse(Path, new ReadOnlySpan<byte>(_pointer, (int)Math.Min(ByteCount, 100)));
        var size = *(ulong*)_pointer;
        if (size > HeaderLimit || (long)size > ByteCount - 8)
        {
            throw SafeLlamaException.InvalidData(
                $"{Path}: its header claims {size} bytes, but the file has {ByteCount}. It is truncated or not a "
                + "safetensors file.");
        }

        try
        {
            using var json = JsonDocument.Parse(new ReadOnlySpan<byte>(_pointer + 8, (int)size).ToArray());
            Read(json.RootElement, dataStart: 8 + (long)size);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException
            or KeyNotFoundException
            or ArgumentException or OverflowException)
        {
            throw SafeLlamaException.InvalidData(
                $"{Path}: its header is not what safetensors allows: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    private void Read(JsonElement header, long dataStart)
    {
        var entries = new List<SafetensorsEntry>();
        foreach (var property in header.EnumerateObject())
        {
            if (property.Name == "__metadata__")
            {
                Metadata = property.Value.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString() ?? "");
                continue;
            }

            var dimensions = property.Value.GetProperty("shape").EnumerateArray().Select(d => d.GetInt32()).ToArray();
            var offsets = property.Value.GetProperty("data_offsets").EnumerateArray().Select(o => o.GetInt64())
                .ToArray();
            var type = property.Value.GetProperty("dtype").GetString() ?? "";
            if (offsets.Length != 2 || offsets[0] < 0 || offsets[1] < offsets[0])
            {
                throw SafeLlamaException.InvalidData(
                    $"{Path}: tensor '{property.Name}' has data_offsets {property.Value.GetProperty("data_offsets")}, "
                    + "expected [begin, end].");
            }

            entries.Add(
                new(property.Name, type, new Shape(dimensions), dataStart + offsets[0], offsets[1] - offsets[0]));
        }

        CheckLayout(entries, dataStart);
        var named = new Dictionary<string, SafetensorsEntry>(entries.Count);
        foreach (var entry in entries)
        {
            if (!named.TryAdd(entry.Name, entry))
            {
                throw SafeLlamaException.InvalidData($"{Path}: tensor '{entry.Name}' stands in the header twice.");
            }
        }

        Entries = named;
    }

    private void CheckLayout(List<SafetensorsEntry> entries, long dataStart)
    {
        entries.Sort(
            (a, b) => a.Offset != b.Offset ? a.Offset.CompareTo(b.Offset) : a.ByteCount.CompareTo(b.ByteCount));
        var end = dataStart;
        foreach (var entry in entries)
        {
            if (BytesOf(entry.Type) is { } size && checked(entry.Shape.Count * size) != entry.ByteCount)
            {
                throw SafeLlamaException.InvalidData(
                    $"{Path}: tensor '{entry.Name}' {entry.Shape} {entry.Type} has {entry.ByteCount} bytes, expected "
                    + $"{entry.Shape.Count * size}.");
            }

            if (entry.Offset != end)
            {
                throw SafeLlamaException.InvalidData(
                    $"{Path}: tensor '{entry.Name}' begins at byte {entry.Offset}, expected {end}: data overlap or "
                    + "have a hole.");
            }

            end = checked(entry.Offset + entry.ByteCount);
            if (end > ByteCount)
            {
                throw SafeLlamaException.InvalidData(
                    $"{Path}: tensor '{entry.Name}' ends at byte {end}, but the file has {ByteCount}. It is "
                    + "truncated; fetch it again.");
            }
        }

        if (end != ByteCount)
        {
            throw SafeLlamaException.InvalidData(
                $"{Path}: has {ByteCount - end} bytes after its last tensor, expected none.");
        }
    }

    private static int? BytesOf(string type) => type switch
    {
        "F64" or "I64" or "U64" => 8,
        "F32" or "I32" or "U32" => 4,
        "F16" or "BF16" or "I16" or "U16" => 2,
        "I8" or "U8" or "BOOL" or "F8_E4M3" or "F8_E5M2" => 1,
        _ => null,
    };
}
