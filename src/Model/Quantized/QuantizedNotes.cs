using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>What is told, and what is refused, where a model is quantized.</summary>
internal static class QuantizedNotes
{
    /// <exception cref="SafeLlamaException">The checkpoint cannot become what is asked for.</exception>
    public static void Check(LlamaConfig config, string folder, LoadForm form)
    {
        if (form.Nested && form.As != LoadAs.Nf4)
        {
            throw SafeLlamaException.Usage("`Nested` quantizes the absmax values of nf4, and needs `Load` nf4.");
        }

        if (form.As != LoadAs.Stored && GgufHeader.IsGguf(folder))
        {
            throw SafeLlamaException.Usage(
                $"`Load` {SettingText.Of(form.As)}: {folder} is a GGUF file, which is read as it is stored.",
                "leave `Load` out");
        }

        // Bytes that are stored can be computed with either kind of activations.
        if (config.Quantization is { } stored && form.As != LoadAs.Stored && form.As != stored.As
            && (form.As, stored.As) is not (LoadAs.Int8Weights, LoadAs.Int8))
        {
            throw SafeLlamaException.Usage(
                $"`Load` {SettingText.Of(form.As)}: {folder} is quantized to {SettingText.Of(stored.As)} already.",
                "leave `Load` out", "quantize the checkpoint that it was made of");
        }

        if (config.Quantization is { } other && form.As == LoadAs.Nf4 && other.Nested != form.Nested)
        {
            throw SafeLlamaException.Usage(
                $"`Nested` {SettingText.Of(form.Nested)}: {folder} is quantized with "
                + $"{(other.Nested ? "nested" : "plain")} absmax values already.", "leave `Load` out");
        }
    }

    /// <exception cref="SafeLlamaException">The checkpoint is quantized.</exception>
    public static void RequirePlain(LlamaConfig config, string folder, string what)
    {
        if (config.Quantization is { } stored)
        {
            throw SafeLlamaException.Usage(
                $"{folder}: is quantized to {SettingText.Of(stored.As)}, and can be a base of LoRA but not {what}.",
                "use the checkpoint that it was made of");
        }
    }

    /// <summary>A line each.</summary>
    public static IEnumerable<string> Of(
        LlamaConfig config, string folder, LoadForm form, IBackend backend, long decodedBytes)
    {
        if (config.Quantization is { } stored && stored.ComputeType != Quantization.ComputeTypeOf(backend))
        {
            yield return stored.As == LoadAs.Nf4
                ? $"{folder}: its \"{Quantization.ComputeKey}\" is {stored.ComputeType}; `Device` has products computed in "
                    + $"{Quantization.ComputeTypeOf(backend)} here."
                : $"{folder}: bitsandbytes computes int8 in {stored.ComputeType}; `Device` has products computed in "
                    + $"{Quantization.ComputeTypeOf(backend)} here.";
        }

        var kind = form.As == LoadAs.Int8Weights ? form.As : config.Quantization?.As ?? form.As;
        if (kind == LoadAs.Int8 && decodedBytes == 0)
        {
            yield return $"{folder}: int8 quantizes activations too and keeps apart columns that are large anywhere in "
                + "a batch, so a text's result depends on the others of its batch; "
                + $"`Load` {SettingText.Of(LoadAs.Int8Weights)} does not.";
        }

        if (decodedBytes > 0)
        {
            yield return FormattableString.Invariant(
                $"{folder}: a GPU has no kernels for {Unread(kind)}; those are decoded to fp32, {decodedBytes / 1e6:F1} ")
                + (kind == LoadAs.Int8 ? "MB of memory, and activations that meet them stay as they are."
                    : "MB of memory.");
        }
    }

    private static string Unread(LoadAs kind) => kind == LoadAs.Nf4
        ? "rows that whole blocks of 64 do not fill" : "rows of int8 that 4 does not divide";
}
