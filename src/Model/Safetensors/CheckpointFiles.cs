using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Model;

/// <summary>The tensors of a model folder, in one file or in shards.</summary>
public sealed class CheckpointFiles : IDisposable
{
    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, (SafetensorsFile File, SafetensorsEntry Entry)> _tensors = [];

    private CheckpointFiles(string folder) => Folder = folder;

    public string Folder { get; }

    public IReadOnlyDictionary<string, (SafetensorsFile File, SafetensorsEntry Entry)> Tensors => _tensors;

    public IReadOnlyList<SafetensorsFile> Files => _files;

    /// <summary>Opens <c>model.safetensors</c>, or the shards that <c>model.safetensors.index.json</c> names.</summary>
    /// <exception cref="SafeLlamaException">
    /// A file is missing, damaged, or lacks a tensor that the index promises.
    /// </exception>
    public static CheckpointFiles Open(string folder)
    {
        var checkpoint = new CheckpointFiles(folder);
        try
        {
            var index = Path.Combine(folder, "model.safetensors.index.json");
            var single = Path.Combine(folder, "model.safetensors");
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
        Dictionary<string, string> map;
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllText(index));
            map = json.RootElement.GetProperty("weight_map").EnumerateObject()
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

        foreach (var shard in map.Values.Distinct().Order(StringComparer.Ordinal))
        {
            // A shard is a file of this folder; a path that leads elsewhere is not followed.
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
}
