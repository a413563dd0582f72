using System.Text.Json.Nodes;

namespace SafeLlama.Model;

/// <summary>
/// The rotary embedding of a <c>config.json</c>: <c>rope_theta</c> and <c>rope_scaling</c>, or <c>rope_parameters</c>
/// as transformers 5 writes them. If two of them disagree, the file is refused, since the weights were trained with
/// only one.
/// </summary>
internal static class RopeConfigReader
{
    private const string Newer = "rope_parameters";
    private const string Older = "rope_scaling";

    public static RopeConfig Read(ConfigFields read)
    {
        var theta = read.Number("rope_theta", 10000);
        var (newer, older) = (Find(read, Newer, theta), Find(read, Older, theta));
        if (newer is not null && read.Has("rope_theta") && newer.Theta != theta)
        {
            throw read.Error(
                "rope_theta", FormattableString.Invariant($"is {theta}, but \"{Newer}\" says {newer.Theta}"));
        }

        if (newer is not null && older is not null && newer != older with { Theta = newer.Theta })
        {
            throw read.Error(Older, $"and \"{Newer}\" describe different rotary embeddings; remove one of them");
        }

        return newer ?? older ?? new RopeConfig { Theta = theta };
    }

    private static RopeConfig? Find(ConfigFields read, string name, double theta) => read.Json[name] switch
    {
        null or JsonObject { Count: 0 } => null,
        JsonObject json => Parse(new ConfigFields(read.File, json), theta),
        var other => throw read.Error(name, $"is {other.ToJsonString()}, expected an object or null"),
    };

    private static RopeConfig Parse(ConfigFields scaling, double theta)
    {
        var name = scaling.Text("rope_type") ?? scaling.Text("type") ?? "default";
        if (scaling.Text("type") is { } old && old != name)
        {
            throw scaling.Error("rope_type", $"is \"{name}\", but \"type\" is \"{old}\"");
        }

        var type = name switch
        {
            "default" => RopeType.Default,
            "linear" => RopeType.Linear,
            "llama3" => RopeType.Llama3,
            _ => throw scaling.Error("rope_type", $"is \"{name}\", expected \"default\", \"linear\" or \"llama3\""),
        };
        if (scaling.Json.FirstOrDefault(field => field.Value is JsonObject or JsonArray) is { Key: { } nested })
        {
            throw scaling.Error(nested, "holds a value for each layer or frequency, expected one rule for all");
        }

        if (scaling.Number("partial_rotary_factor", 1) != 1)
        {
            throw scaling.Error("partial_rotary_factor", "is not 1: LLaMA rotates every feature of a head");
        }

        var rope = Values(scaling, type, scaling.Number("rope_theta", theta));
        if (!(rope.Factor > 0) || !(rope.Theta > 0)
            || (type == RopeType.Llama3 && rope.HighFrequencyFactor <= rope.LowFrequencyFactor))
        {
            throw scaling.Error(
                "factor", $"is {rope.Factor}, expected a positive factor and high_freq_factor above low_freq_factor");
        }

        return rope;
    }

    private static RopeConfig Values(ConfigFields scaling, RopeType type, double theta)
    {
        if (type == RopeType.Default)
        {
            return scaling.Number("factor", 1) == 1 ? new RopeConfig { Theta = theta }
                : throw scaling.Error("factor", "has no meaning where \"rope_type\" is \"default\"");
        }

        if (type == RopeType.Linear)
        {
            return new RopeConfig { Type = type, Theta = theta, Factor = scaling.Number("factor", 0) };
        }

        string[] needed = ["factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"];
        return needed.FirstOrDefault(name => !scaling.Has(name)) is { } missing
            ? throw scaling.Error(missing, "is missing; \"rope_type\" llama3 needs it")
            : new RopeConfig
            {
                Type = type,
                Theta = theta,
                Factor = scaling.Number("factor", 0),
                LowFrequencyFactor = scaling.Number("low_freq_factor", 1),
                HighFrequencyFactor = scaling.Number("high_freq_factor", 4),
                OriginalMaxPositions = scaling.Positive("original_max_position_embeddings"),
            };
    }
}
