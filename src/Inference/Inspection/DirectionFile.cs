using System.Globalization;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Inference;

/// <summary>A refusal direction in a safetensors file, to compare others with it.</summary>
/// <remarks>One tensor, <c>direction</c> [L + 1, D] in fp32; the metadata name the token and the numbers of
/// prompts.</remarks>
public static class DirectionFile
{
    private const string Tensor = "direction";

    /// <param name="facts">What else the metadata say, such as the model's hash.</param>
    public static void Write(string path, RefusalDirection direction, IReadOnlyDictionary<string, string> facts)
    {
        var shape = new Shape(direction.Layers.Count, direction.Size);
        using var backend = new ReferenceBackend();
        using var arena = new Arena(backend, "direction");
        var tensor = arena.Take(shape, DType.Float64, Tensor);
        arena.Commit();
        tensor.Write([.. direction.Layers.SelectMany(layer => layer.Vector)]);
        SafetensorsWriter.Write(
            path, [SafetensorsItem.Of(Tensor, tensor, DType.Float32)],
            new Dictionary<string, string>(facts)
            {
                ["kind"] = "refusal_direction",
                ["position"] = Text(direction.Position),
                ["harmful"] = Text(direction.Harmful),
                ["harmless"] = Text(direction.Harmless),
            });
    }

    /// <exception cref="SafeLlamaException">The file is not one of these.</exception>
    public static RefusalDirection Read(string path)
    {
        using var file = SafetensorsFile.Open(path);
        if (!file.Entries.TryGetValue(Tensor, out var entry) || entry.Shape.Rank != 2
            || file.FirstNonFinite(entry) is not null)
        {
            throw SafeLlamaException.InvalidData(
                $"{path}: holds no finite tensor '{Tensor}' of two dimensions, layers and features; it is no file of "
                + "a refusal direction.");
        }

        using var backend = new ReferenceBackend();
        var values = file.Import(entry, backend).ReadDoubles();
        var size = entry.Shape[1];
        return new(
            [.. values.Chunk(size).Select((vector, layer) =>
                new LayerDirection(layer, vector, UnitVector.Norm(vector), double.NaN, null))],
            Number("position", -1), Number("harmful", 0), Number("harmless", 0));

        int Number(string name, int otherwise) =>
            file.Metadata.TryGetValue(name, out var text)
            && int.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : otherwise;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
