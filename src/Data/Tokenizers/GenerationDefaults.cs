namespace SafeLlama.Data;

/// <summary>What a model's <c>generation_config.json</c> suggests.</summary>
/// <param name="Eos"><c>eos_token_id</c>, one or several: each ends an answer.</param>
/// <param name="Sampling">The settings of decoding it names and what it sets them to, such as <c>top_p 0.9</c>; what is
/// off is off here too.</param>
public sealed record GenerationDefaults(IReadOnlyList<int> Eos, IReadOnlyList<string> Sampling)
{
    /// <summary>Settings that would change which token comes next, or how many.</summary>
    private static readonly string[] Settings =
    [
        "do_sample", "temperature", "top_k", "top_p", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff",
        "repetition_penalty", "no_repeat_ngram_size", "num_beams", "num_beam_groups", "length_penalty",
        "diversity_penalty", "early_stopping", "max_length", "max_new_tokens", "min_length", "min_new_tokens",
        "bad_words_ids", "suppress_tokens", "begin_suppress_tokens", "forced_bos_token_id", "forced_eos_token_id",
        "sequence_bias", "guidance_scale", "penalty_alpha",
    ];

    /// <summary>The settings that are numbers, and true and false as 1 and 0.</summary>
    public IReadOnlyDictionary<string, double> Numbers { get; init; } = new Dictionary<string, double>();

    /// <summary>Reads the file in a model's folder; nothing where there is none.</summary>
    /// <exception cref="Common.SafeLlamaException">It is broken, or an id is no whole number.</exception>
    public static GenerationDefaults Read(string folder)
    {
        var path = Path.Combine(folder, "generation_config.json");
        return !File.Exists(path) ? new([], []) : ConfigField.Read(path, root => new GenerationDefaults(
            root["eos_token_id"].IdOrIds(),
            [
                .. Settings.Where(name => !root[name].IsMissing && root[name].Shown() != "false")
                    .Select(name => $"{name} {root[name].Shown()}"),
            ])
        {
            Numbers = Settings.Where(name => root[name].NumberOrFlag() is not null)
                .ToDictionary(name => name, name => root[name].NumberOrFlag()!.Value),
        });
    }

    /// <summary>One line for the user where settings are suggested; they are not applied unless asked for.</summary>
    public string? Note(string folder) => Sampling.Count == 0 ? null
        : $"{Path.Combine(folder, "generation_config.json")}: suggests {string.Join(", ", Sampling)}; none of it is "
            + "applied, only settings that are asked for are.";
}
