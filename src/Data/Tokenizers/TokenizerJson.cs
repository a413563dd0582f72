using System.Text.RegularExpressions;

namespace SafeLlama.Data;

/// <summary>
/// Hugging Face's <c>tokenizer.json</c>, as far as LLaMA models use it: BPE over bytes or over characters.
/// </summary>
/// <remarks>Whatever changes ids is computed as tokenizers 0.23 computes it, or refused by name.</remarks>
internal static class TokenizerJson
{
    private const string UseOriginal = "Use a LLaMA model's tokenizer.";

    /// <exception cref="Common.SafeLlamaException">The file is broken, or asks for something no LLaMA does.</exception>
    public static ITokenizer Load(string file, TokenNames names) => ConfigField.Read<ITokenizer>(file, root =>
    {
        var model = root["model"];
        Expect(model["type"], "BPE");
        ExpectNothing(model["dropout"]);
        ExpectNothing(model["continuing_subword_prefix"]);
        ExpectNothing(model["end_of_word_suffix"]);
        var steps = root["pre_tokenizer"].Steps("pretokenizers").ToList();
        return steps.Exists(step => step.Type == "ByteLevel")
            ? ByteLevel(file, root, steps, names)
            : SentencePiece(file, root, steps, names);
    });

    private static ByteLevelBpe ByteLevel(
        string file, ConfigField root, List<(string Type, ConfigField Step)> steps, TokenNames names)
    {
        var rules = new List<SplitRule>();
        var prefixSpace = false;
        foreach (var (i, (type, step)) in steps.Index())
        {
            switch (type)
            {
                case "Split":
                    rules.Add(new SplitRule(Pattern(step["pattern"]), Behavior(step), step["invert"].Flag(false)));
                    break;
                case "Digits":
                    rules.Add(new SplitRule(
                        step["individual_digits"].Flag(false) ? WordSplitter.SingleDigits : @"\p{N}+"));
                    break;
                case "ByteLevel":
                    prefixSpace = step["add_prefix_space"].Flag(true);
                    if (step["use_regex"].Flag(true))
                    {
                        rules.Add(new SplitRule(WordSplitter.Gpt2));
                    }

                    MustStandAlone(step, isLast: i == steps.Count - 1, isFirst: i == 0, prefixSpace);
                    MustAgree(step["add_prefix_space"], prefixSpace, names);
                    break;
                default:
                    throw step["type"].Wrong("expected Split, Digits or ByteLevel", UseOriginal);
            }
        }

        if (root["model"]["byte_fallback"].Flag(false))
        {
            throw root["model"]["byte_fallback"].Wrong("expected false beside ByteLevel", UseOriginal);
        }

        var normalizer = Normalizer(root["normalizer"]);
        var read = TokenizerJsonModel.Read(file, root, names, isByteLevel: true);
        var splitter = new WordSplitter(rules, file);
        var ends = names.Resolve(read.Model.Vocabulary, PostProcessorField.Read(root["post_processor"]));
        return new ByteLevelBpe(
            read.Model, splitter, prefixSpace, ends, new AddedTokens(read.Added, normalizer))
        {
            Notes = [.. names.Notes, .. read.Notes],
        };
    }

    private static SentencePieceBpe SentencePiece(
        string file, ConfigField root, List<(string Type, ConfigField Step)> steps, TokenNames names)
    {
        var normalizer = Normalizer(root["normalizer"]);
        var form = Form(root, steps, names, normalizer);
        var read = TokenizerJsonModel.Read(file, root, names, isByteLevel: false);
        var ends = names.Resolve(read.Model.Vocabulary, PostProcessorField.Read(root["post_processor"]));
        return new SentencePieceBpe(
            read.Model, form, ends, new AddedTokens(read.Added, normalizer), normalizer)
        {
            Notes = [.. names.Notes, .. read.Notes],
        };
    }

    /// <summary>LLaMA's two ways to put a ▁ before the text: as a normalizer (older files), or by Metaspace.</summary>
    private static SentencePieceForm Form(
        ConfigField root,
        List<(string Type, ConfigField Step)> steps,
        TokenNames names,
        TextNormalizer normalizer)
    {
        var form = new SentencePieceForm
        {
            Prefix = PrefixSpace.Never,
            EscapesSpaces = false,
            StripsPrefix = StripsPrefix(root["decoder"]),
            BytesByRun = true,
        };
        if (steps.Count > 1)
        {
            throw root["pre_tokenizer"].Wrong("expected a Metaspace alone", UseOriginal);
        }

        foreach (var (_, step) in steps)
        {
            Expect(step["type"], "Metaspace");
            Expect(step["replacement"], "▁");
            var scheme = Scheme(step);
            form = form with
            {
                Prefix = scheme == "never" ? PrefixSpace.Never : PrefixSpace.WhereMissing,
                PrefixFirstOnly = scheme == "first",
                EscapesSpaces = true,
                SplitAtSpaces = step["split"].Flag(true),
            };
        }

        var puts = form.Prefix != PrefixSpace.Never || normalizer.Steps.Any(step => step.From is null);
        MustAgree(steps.Count > 0 ? steps[0].Step : root["normalizer"], puts, names);
        return form;
    }

    private static string Scheme(ConfigField step)
    {
        var (scheme, adds) = (step["prepend_scheme"], step["add_prefix_space"].Flag(true));
        var name = scheme.IsMissing ? adds ? "always" : "never" : scheme.Text();
        return name is not ("always" or "first" or "never")
            ? throw scheme.Wrong("expected \"always\", \"first\" or \"never\"", UseOriginal)
            : adds || name == "never"
            ? name
            : throw scheme.Wrong("expected \"never\", for \"add_prefix_space\" is false", UseOriginal);
    }

    private static TextNormalizer Normalizer(ConfigField normalizer)
    {
        var steps = new List<(string? From, string To)>();
        foreach (var (type, step) in normalizer.Steps("normalizers"))
        {
            steps.Add(type switch
            {
                "Prepend" => (null, step["prepend"].Text()),
                "Replace" => (NotEmpty(step["pattern"]["String"]), step["content"].Text()),
                _ => throw step["type"].Wrong("expected Prepend or Replace", UseOriginal),
            });
        }

        return new TextNormalizer(steps);
    }

    private static bool StripsPrefix(ConfigField decoder)
    {
        var strips = false;
        foreach (var (type, step) in decoder.Steps("decoders"))
        {
            strips |= type switch
            {
                "Strip" => step["start"].Number() == 1 ? true : throw step["start"].Wrong("expected 1", UseOriginal),
                "Metaspace" => step["prepend_scheme"].IsMissing || step["prepend_scheme"].Text() != "never",
                "Replace" or "ByteFallback" or "Fuse" => false,
                _ => throw step["type"].Wrong("expected Replace, ByteFallback, Fuse, Strip or Metaspace", UseOriginal),
            };
        }

        return strips;
    }

    private static void MustStandAlone(ConfigField step, bool isLast, bool isFirst, bool prefixSpace)
    {
        if (!isLast)
        {
            throw step["type"].Wrong("expected no other step behind ByteLevel", UseOriginal);
        }

        if (prefixSpace && !isFirst)
        {
            throw step["add_prefix_space"].Wrong("expected false behind another step", UseOriginal);
        }
    }

    /// <summary>
    /// transformers lets <c>tokenizer_config.json</c> change this setting in some classes and versions and not in
    /// others.
    /// </summary>
    private static void MustAgree(ConfigField field, bool adds, TokenNames names)
    {
        if (names.AddsPrefixSpace is { } config && config != adds)
        {
            throw field.Wrong(
                $"\"add_prefix_space\" is {(config ? "true" : "false")} in {names.Where}, and here a text gets "
                + $"{(adds ? "a" : "no")} space before it",
                "Make the two files agree with how the model was trained.");
        }
    }

    private static SplitBehavior Behavior(ConfigField step) =>
        step["behavior"].IsText && Enum.TryParse<SplitBehavior>(step["behavior"].Text(), out var behavior)
            && behavior.ToString() == step["behavior"].Text()
            ? behavior
            : throw step["behavior"].Wrong($"expected one of {string.Join(", ", Enum.GetNames<SplitBehavior>())}");

    private static string Pattern(ConfigField pattern) => pattern["Regex"].IsMissing
        ? Regex.Escape(NotEmpty(pattern["String"]))
        : pattern["Regex"].Text();

    private static string NotEmpty(ConfigField field) =>
        field.Text() is { Length: > 0 } text ? text : throw field.Wrong("expected a text that is not empty");

    private static void Expect(ConfigField field, string value)
    {
        if (!(field.IsText && field.Text() == value))
        {
            throw field.Wrong($"expected \"{value}\"", UseOriginal);
        }
    }

    private static void ExpectNothing(ConfigField field)
    {
        if (!field.IsMissing && !(field.IsText && field.Text().Length == 0))
        {
            throw field.Wrong("expected null", UseOriginal);
        }
    }
}
