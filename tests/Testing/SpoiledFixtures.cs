using System.Text.Json.Nodes;
using SafeLlama.Model;

namespace SafeLlama.Testing;

/// <summary>A copy of the reference fixtures in which one expectation is made wrong, to see a test fail.</summary>
public sealed class SpoiledFixtures : IDisposable
{
    public SpoiledFixtures()
    {
        Folder = TestFiles.NewFolder();
        foreach (var file in Directory.EnumerateFiles(TestFiles.Reference, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(Folder, Path.GetRelativePath(TestFiles.Reference, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    public string Folder { get; }

    /// <summary>Moves an element of a tensor by far more than any tolerance.</summary>
    /// <param name="everywhere">All elements, where a case compares only some of them.</param>
    public void SpoilTensor(string name, string tensor, bool everywhere)
    {
        var path = Directory.EnumerateFiles(Path.Combine(Folder, "cases", Path.GetDirectoryName(name)!),
            Path.GetFileName(name) + ".safetensors").Single();
        using var source = SafetensorsFile.Open(Path.Combine(TestFiles.Reference, Path.GetRelativePath(Folder, path)));
        var entry = source.Entries[tensor];
        using var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        var bytes = new byte[entry.ByteCount];
        stream.Position = entry.Offset;
        stream.ReadExactly(bytes);
        var middle = (int)(entry.Shape.Count / 2);
        foreach (var i in everywhere ? Enumerable.Range(0, (int)entry.Shape.Count) : [middle])
        {
            if (entry.Type == "I32")
            {
                BitConverter.TryWriteBytes(bytes.AsSpan(4 * i), BitConverter.ToInt32(bytes, 4 * i) + 1);
            }
            else
            {
                BitConverter.TryWriteBytes(bytes.AsSpan(4 * i), (BitConverter.ToSingle(bytes, 4 * i) * 1.5f) + 1);
            }
        }

        stream.Position = entry.Offset;
        stream.Write(bytes);
    }

    /// <summary>Changes a manifest: <paramref name="change"/> receives its JSON.</summary>
    public void SpoilManifest(string name, Action<JsonObject> change) =>
        SpoilFile(Path.Combine("cases", name + ".json"), change);

    /// <summary>Changes a JSON file of the fixtures, such as a model's config.</summary>
    public void SpoilFile(string relative, Action<JsonObject> change)
    {
        var path = Path.Combine(Folder, relative);
        var json = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        change(json);
        File.WriteAllText(path, json.ToJsonString());
    }

    /// <summary>Moves the number at a path of keys by half of itself and one more.</summary>
    public void SpoilNumber(string name, params string[] keys) => SpoilManifest(name, json =>
    {
        JsonNode node = json;
        foreach (var key in keys[..^1])
        {
            node = node[key]!;
        }

        node[keys[^1]] = (node[keys[^1]]!.GetValue<double>() * 1.5) + 1;
    });

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
