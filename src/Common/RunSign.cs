using System.Text.Json;

namespace SafeLlama.Common;

/// <summary>A file that a run keeps from its beginning, by which its folder is known.</summary>
/// <param name="File">Its path within the folder.</param>
/// <param name="Fields">What the JSON object in it has; without them it is somebody else's file of that name.</param>
public sealed record RunSign(string File, params string[] Fields)
{
    /// <summary>Whether the folder has the file, as such a run writes it.</summary>
    /// <exception cref="SafeLlamaException">The file cannot be read.</exception>
    public bool IsIn(string folder)
    {
        try
        {
            return Path.Combine(folder, File) is var path && System.IO.File.Exists(path) && Holds(path);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Says what is wrong with the file where it is no JSON, as after damage.</summary>
    /// <exception cref="SafeLlamaException">It is no JSON.</exception>
    public void RequireJson(string folder)
    {
        var path = Path.Combine(folder, File);
        try
        {
            Holds(path);
        }
        catch (JsonException e)
        {
            throw JsonRecord.Fault(e, path, "is not as a run writes it");
        }
    }

    private bool Holds(string path)
    {
        using var found = JsonDocument.Parse(
            FileErrors.Reading(path, () => System.IO.File.ReadAllBytes(path), ExitCode.InvalidData));
        return found.RootElement.ValueKind == JsonValueKind.Object
            && Fields.All(field => found.RootElement.TryGetProperty(field, out _));
    }
}
