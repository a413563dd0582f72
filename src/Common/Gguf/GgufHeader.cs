using System.Numerics;

namespace SafeLlama.Common;

/// <summary>The header of a GGUF file: keys, and the name, type, shape and place of each tensor.</summary>
/// <remarks>
/// Little endian; versions 2 and 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). Before any data is
/// read, the header is checked against the file's size: tensors must follow one another in order, aligned, and end with
/// the file.
/// </remarks>
public sealed class GgufHeader
{
    /// <summary>The alignment of data where the file names none; files are always written with it.</summary>
    public const int DefaultAlignment = 32;

    private const uint Magic = 0x46554747; // "GGUF"
    private const int MaxRank = 4;
    private const long MostKeys = 1 << 16;
    private const long MostTensors = 1 << 20;

    private GgufHeader(string path, GgufKeys keys) => (Path, Keys) = (path, keys);

    public string Path { get; }

    public GgufKeys Keys { get; }

    /// <summary>The tensors by name, in the order of their data.</summary>
    public IReadOnlyDictionary<string, GgufTensor> Tensors { get; private set; } =
        new Dictionary<string, GgufTensor>();

    /// <summary>
    /// Whether a path names a GGUF file rather than a model folder, judged by its ending or its first bytes.
    /// </summary>
    public static bool IsGguf(string path)
    {
        if (Directory.Exists(path) || !File.Exists(path))
        {
            return false;
        }

        if (path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        try
        {
            using var stream = File.OpenRead(path);
            var head = new byte[4];
            return stream.ReadAtLeast(head, 4, throwOnEndOfStream: false) == 4 && head.AsSpan().SequenceEqual("GGUF"u8);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            return false;
        }
    }

    /// <exception cref="SafeLlamaException">The file is missing, truncated, or breaks the format.</exception>
    public static GgufHeader Read(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
            return Read(new GgufCursor(stream, path), path, stream.Length);
        }
        catch (FileNotFoundException e)
        {
            throw new SafeLlamaException(ExitCode.Usage, $"{path}: not found.", e);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw SafeLlamaException.Failure($"{path}: cannot be read: {FileErrors.Reason(e, path)}", e);
        }
    }

    private static GgufHeader Read(GgufCursor from, string path, long length)
    {
        if (from.U32() != Magic)
        {
            throw from.Wrong("does not begin with GGUF. It is another format, or damaged");
        }

        var version = from.U32();
        if (version is not (2 or 3))
        {
            throw from.Wrong($"is GGUF version {(version > 0xFFFF ? "of another byte order" : version)}, expected 2 "
                + "or 3, little endian. Convert it with a recent llama.cpp");
        }

        var tensors = from.Count(24, MostTensors, "the number of tensors");
        var keys = from.Count(13, MostKeys, "the number of keys");
        var header = new GgufHeader(path, ReadKeys(from, path, keys));
        var alignment = header.Keys.Has("general.alignment")
            ? header.Keys.Positive("general.alignment")
            : DefaultAlignment;
        if (alignment is < 8 or > (1 << 20) || !BitOperations.IsPow2(alignment))
        {
            throw from.Wrong($"key 'general.alignment' is {alignment}, expected a power of two from 8 on");
        }

        var (infos, names) = (new List<GgufTensor>(), new HashSet<string>(StringComparer.Ordinal));
        for (var i = 0; i < tensors; i++)
        {
            var tensor = ReadTensor(from);
            infos.Add(names.Add(tensor.Name) ? tensor : throw from.Wrong($"tensor '{tensor.Name}' stands there twice"));
        }

        header.Tensors = Place(infos, from, alignment, length);
        return header;
    }

    private static GgufKeys ReadKeys(GgufCursor from, string path, int count)
    {
        var keys = new Dictionary<string, object>(StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
        {
            var key = from.Name(1 << 16, "the name of a key");
            var value = GgufValues.Read(from, key);
            if (!keys.TryAdd(key, value))
            {
                throw from.Wrong($"key '{key}' is given twice");
            }
        }

        return new GgufKeys(path, keys);
    }

    /// <summary>Name, dimensions (fastest first), type and offset within the data.</summary>
    private static GgufTensor ReadTensor(GgufCursor from)
    {
        var name = from.Name(1 << 10, "the name of a tensor");
        var rank = from.U32();
        if (rank is < 1 or > MaxRank)
        {
            throw from.Wrong($"tensor '{name}' has {rank} dimensions, expected 1 to {MaxRank}");
        }

        var dimensions = new int[rank];
        var count = 1L;
        for (var i = (int)rank - 1; i >= 0; i--)
        {
            var size = from.U64();
            if (size is < 1 or > int.MaxValue || count > long.MaxValue / 8 / (long)size)
            {
                throw from.Wrong($"tensor '{name}' has a dimension of {size}, which no file can hold");
            }

            dimensions[i] = (int)size;
            count *= (long)size;
        }

        var type = (GgufType)from.U32();
        if (!type.IsKnown())
        {
            throw from.Wrong($"tensor '{name}' stores type {(int)type}, expected "
                + $"{string.Join(", ", Enum.GetNames<GgufType>())}. Convert it to one of these with llama-quantize");
        }

        if (dimensions[^1] % type.BlockValues() != 0)
        {
            throw from.Wrong($"tensor '{name}' has rows of {dimensions[^1]} values, which blocks of "
                + $"{type.BlockValues()} ({type}) do not divide");
        }

        var offset = from.U64();
        return new GgufTensor(name, dimensions, type, (long)Math.Min(offset, long.MaxValue), type.ByteCount(count));
    }

    /// <summary>Gives each tensor its place in the file, one after another, each padded.</summary>
    private static Dictionary<string, GgufTensor> Place(
        List<GgufTensor> infos, GgufCursor from, int alignment, long length)
    {
        var start = Padded(from.Position, alignment);
        var (end, expected) = (start, 0L);
        var placed = new Dictionary<string, GgufTensor>(infos.Count, StringComparer.Ordinal);
        foreach (var info in infos.OrderBy(t => t.Offset))
        {
            if (info.Offset != expected)
            {
                throw from.Wrong($"tensor '{info.Name}' begins at byte {info.Offset} of the data, expected {expected}: "
                    + "data overlap, have a hole or are not aligned");
            }

            end = start + expected + info.ByteCount;
            if (info.ByteCount > length || end > length)
            {
                throw from.Wrong($"tensor '{info.Name}' ends at byte {end}, but the file has {length}. It is "
                    + "truncated; download it again");
            }

            placed[info.Name] = info with { Offset = start + expected };
            expected = Padded(expected + info.ByteCount, alignment);
        }

        return length <= Padded(end, alignment)
            ? placed
            : throw from.Wrong($"has {length - end} bytes after its last tensor, expected only padding");
    }

    private static long Padded(long bytes, long alignment) => (bytes + alignment - 1) / alignment * alignment;
}
