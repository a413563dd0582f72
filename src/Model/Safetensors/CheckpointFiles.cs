using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Model;

/// <summary>The tensors of a model folder, in one file or in shards.</summary>
public sealed class CheckpointFiles : IDisposable
{
    private const string Single = "model.safetensors";
    private const string Index = "model.safetensors.index.json";

    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, (SafetensorsFile File, SafetensorsEntry Entry)> _tensors = [];

    private CheckpointFiles(string folder) => Folder = folder;

    public string Folder { get; }

    public IReadOnlyDictionary<string, (SafetensorsFile File, SafetensorsEntry Entry)> Tensors => _tensors;

    public IReadOnlyList<SafetensorsFile> Files => _files;

    /// <summary>
    /// A line for the user where the folder holds the weights in a second form, which is not read: shards beside
    /// <c>model.safetensors</c>, or the <c>consolidated.safetensors</c> of Mistral's own library; null where not.
    /// </summary>
    public string? Unread()
    {
        var read = _files.Select(file => Path.GetFileName(file.Path)).Order(StringComparer.Ordinal).ToList();
        var unread = Directory.EnumerateFiles(Folder, "*.safetensors").Select(path => Path.GetFileName(path))
            .Where(name => name.StartsWith("model", StringComparison.Ordinal)
                || name.StartsWith("consolidated", StringComparison.Ordinal))
            .Except(read).Order(StringComparer.Ordinal).ToList();
        return unread.Count == 0 ? null
            : $"{Folder}: {read[0]}{(read.Count > 1 ? " and its kin are" : " is")} read; "
                + $"{unread[0]}{(unread.Count > 1 ? $" and {unread.Count - 1} more hold" : " holds")} weights too and "
                + $"{(unread.Count > 1 ? "are" : "is")} not.";
    }

    /// <summary>The bytes of the files that <see cref="Open"/> would open; 0 where there are none.</summary>
    public static long BytesOf(string folder)
    {
        var (single, index) = (Path.Combine(folder, Single), Path.Combine(folder, Index));
        return File.Exists(single) ? FileFacts.Length(single)
            : !File.Exists(index) ? 0
            : ReadMap(index).Values.Distinct().Select(shard => Path.Combine(folder, Path.GetFileName(shard)))
                .Where(File.Exists).Sum(FileFacts.Length);
    }

    /// <summary>Opens <c>model.safetensors</c>, or the shards that <c>model.safetensors.index.json</c> names.</summary>
    /// <exception cref="SafeLlamaException">
    /// A file is missing, damaged, or lacks a tensor that the index promises.
    /// </exception>
    public static CheckpointFiles Open(string folder)
    {
        var checkpoint = new CheckpointFiles(folder);
        try
        {
            var (single, index) = (Path.Combine(folder, Single), Path.Combine(folder, Index));
            if (File.Exists(single))
            {
                checkpoint.Add(single);
            }
            else if (File.Exists(index))
            {
                checkpoint.AddShards(index);
            }
            else if (Directory.Exists(folder) && Directory.EnumerateFiles(folder, "pytorch_model*.bin").Any())
            {
                throw SafeLlamaException.InvalidData(
                    $"{folder}: holds pytorch_model.bin, expected model.safetensors. Convert it; pickled files can "
                    + "run code and are not read.");
            }
            else
            {
                throw SafeLlamaException.Usage($"{single}: not found, and no model.safetensors.index.json beside it.");
            }

            return checkpoint;
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var file in _files)
        {
            file.Dispose();
        }
    }

    private void Add(string path)
    {
        var file = SafetensorsFile.Open(path);
        _files.Add(file);
        foreach (var entry in file.Entries.Values)
        {
            if (!_tensors.TryAdd(entry.Name, (file, entry)))
            {
                throw SafeLlamaException.InvalidData($"{path}: tensor '{entry.Name}' is also in another shard.");
            }
        }
    }

    private void AddShards(string index)
    {
        var map = ReadMap(index);
        foreach (var shard in map.Values.Distinct().Order(StringComparer.Ordinal))
        {
            // A shard must be a file of this folder; other paths are refused.
            if (shard.Length == 0 || Path.GetFileName(shard) != shard)
            {
                throw SafeLlamaException.InvalidData($"{index}: shard \"{shard}\" is not a file name.");
            }

            var path = Path.Combine(Folder, shard);
            if (!File.Exists(path))
            {
                throw SafeLlamaException.InvalidData($"{path}: shard not found; {Path.GetFileName(index)} names it.");
            }

            Add(path);
        }

        foreach (var (name, shard) in map)
        {
            if (!_tensors.TryGetValue(name, out var found) || Path.GetFileName(found.File.Path) != shard)
            {
                throw SafeLlamaException.InvalidData(
                    $"{index}: tensor '{name}' should be in {shard}, but is not there.");
            }
        }
    }

    /// <summary>The shard of every tensor.</summary>
    private static Dictionary<string, string> ReadMap(string index)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllText(index));
            return json.RootElement.GetProperty("weight_map").EnumerateObject()
                .ToDictionary(p => p.Name, p => p.Value.GetString() ?? "");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException
            or ArgumentException)
        {
            throw SafeLlamaException.InvalidData(
                $"{index}: has no \"weight_map\" from tensor names to shard files.", e);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw SafeLlamaException.Failure($"{index}: cannot be read: {FileErrors.Reason(e, index)}", e);
        }
    }
}
