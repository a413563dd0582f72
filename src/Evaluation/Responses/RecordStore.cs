using System.Text;
using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>A record that a store holds at most once.</summary>
public interface IKeyed
{
    string Key { get; }
}

/// <summary>A record that a later one of the same key may replace.</summary>
public interface IProvisional : IKeyed
{
    bool IsProvisional { get; }
}

/// <summary>
/// An append-only JSONL file with one record per line. Each record is on the disk before the next is made.
/// </summary>
/// <remarks>
/// A process may be killed at any byte. The file then holds whole lines and at most one torn line; opening the store
/// drops and counts the torn line and continues after the last whole one. A provisional record stays in the file until
/// a later one of its key replaces it.
/// </remarks>
public sealed class RecordStore<T> : IDisposable
    where T : class, IKeyed
{
    private readonly FileStream _file;
    private readonly RecordList<T> _records = new();

    internal RecordStore(FileStream file, string path) => (_file, Path) = (file, path);

    public string Path { get; }

    /// <summary>The records of the store, in the order of writing.</summary>
    public IReadOnlyList<T> Records => _records.All;

    /// <summary>Torn lines that were dropped: 0 or 1.</summary>
    public int TornLines { get; private set; }

    /// <summary>Whether there is a final record.</summary>
    public bool Contains(string key) => Find(key) is { } record and not IProvisional { IsProvisional: true };

    public T? Find(string key) => _records.Find(key);

    /// <summary>Adds a record; when this returns it is on the disk.</summary>
    public void Append(T record) => Append([record]);

    /// <summary>Adds records made together; when this returns they are on the disk.</summary>
    public void Append(IReadOnlyList<T> records)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        foreach (var record in records)
        {
            if (Contains(record.Key) || !keys.Add(record.Key))
            {
                throw new InvalidOperationException($"{Path}: {record.Key} is already there.");
            }
        }

        var bytes = Encoding.UTF8.GetBytes(string.Concat(
            records.Select(record => JsonSerializer.Serialize(record, EvaluationJson.Line) + "\n")));
        try
        {
            OutputFile.FaultSite?.Invoke("append", Path);
            _file.Write(bytes);
            _file.Flush(flushToDisk: true);
        }
        catch (IOException e)
        {
            throw SafeLlamaException.Failure(
                $"{Path}: cannot be written: {FileErrors.Reason(e, Path)} {Records.Count} records are kept.", e,
                "make room and use `Resume`", "make room and run it again");
        }

        foreach (var record in records)
        {
            _records.Add(record);
        }
    }

    public void Dispose() => _file.Dispose();

    internal void Load(Action<IReadOnlyList<T>>? check)
    {
        var bytes = new byte[_file.Length];
        _file.ReadExactly(bytes);
        var whole = bytes.AsSpan().LastIndexOf((byte)'\n') + 1;
        TornLines = whole < bytes.Length ? 1 : 0;
        RecordStore.Parse(bytes, Path, _records);
        RecordStore.RequireTorn<T>(bytes.AsSpan(whole), Path, _records.All.Count + 1);
        check?.Invoke(Records);

        _file.SetLength(whole);
        _file.Position = whole;
    }
}

/// <summary>Opens and reads stores of records.</summary>
public static class RecordStore
{
    /// <summary>Where a disk is full, closing the file must not try the same write again.</summary>
    private const int Unbuffered = 1;

    /// <summary>Opens the store or creates it; throws where another process holds it.</summary>
    /// <param name="check">Refuses the whole records by throwing; the file, with its torn line, then stays as it
    /// was.</param>
    /// <exception cref="SafeLlamaException">A whole line is not a record, a key occurs twice, or the file cannot be
    /// opened.</exception>
    public static RecordStore<T> Open<T>(string path, Action<IReadOnlyList<T>>? check = null)
        where T : class, IKeyed
    {
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, Unbuffered);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw SafeLlamaException.Failure($"{path}: cannot be opened: {FileErrors.Reason(e, path)}", e);
        }

        var store = new RecordStore<T>(file, path);
        try
        {
            store.Load(check);
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>Reads a store's records without touching the file; a torn last line is left out.</summary>
    /// <exception cref="SafeLlamaException">The file is missing, or a whole line is not a record.</exception>
    public static IReadOnlyList<T> Read<T>(string path)
        where T : class, IKeyed
    {
        try
        {
            var records = new RecordList<T>();
            Parse(ReadShared(path), path, records);
            return records.All;
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw SafeLlamaException.Usage($"{path}: cannot be read: {FileErrors.Reason(e, path)}");
        }
    }

    /// <summary>Allows another process to keep writing.</summary>
    private static byte[] ReadShared(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var bytes = new MemoryStream();
        file.CopyTo(bytes);
        return bytes.ToArray();
    }

    /// <summary>The lines that have their end.</summary>
    internal static IEnumerable<ReadOnlyMemory<byte>> Lines(byte[] bytes)
    {
        for (var start = 0; Array.IndexOf(bytes, (byte)'\n', start) is var end and >= 0; start = end + 1)
        {
            yield return bytes.AsMemory(start, end - start);
        }
    }

    internal static void Parse<T>(byte[] bytes, string path, RecordList<T> records)
        where T : class, IKeyed
    {
        var number = 0;
        foreach (var line in Lines(bytes))
        {
            var record = Parse<T>(line, path, ++number);
            if (!records.Add(record))
            {
                throw SafeLlamaException.InvalidData(
                    $"{path}:{number}: {record.Key} is there twice; remove one of the two lines.");
            }
        }
    }

    /// <summary>A last line without its end is dropped only where it may be the beginning of a record.</summary>
    internal static void RequireTorn<T>(ReadOnlySpan<byte> rest, string path, int number)
        where T : class, IKeyed
    {
        var first = EvaluationJson.Line.GetTypeInfo(typeof(T)).Properties[0].Name;
        ReadOnlySpan<byte> begins = Encoding.UTF8.GetBytes($"{{\"{first}\":");
        rest = rest.TrimEnd((byte)0);
        var common = Math.Min(begins.Length, rest.Length);
        if (!rest[..common].SequenceEqual(begins[..common]))
        {
            throw SafeLlamaException.InvalidData(
                $"{path}:{number}: is no {What<T>()}, and is not overwritten. Move the file away, or name another place.");
        }
    }

    /// <summary>A type of record in words: "prompt answer".</summary>
    private static string What<T>() =>
        JsonNamingPolicy.KebabCaseLower.ConvertName(typeof(T).Name).Replace('-', ' ');

    private static T Parse<T>(ReadOnlyMemory<byte> line, string path, int number)
        where T : class, IKeyed => JsonRecord.Parse<T>(
            line.Span, path, $"is no {What<T>()}", EvaluationJson.Line, number,
            "The file was changed after it was written; remove the line to have it made again.");
}
