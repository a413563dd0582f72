using SafeLlama.Serving;

namespace SafeLlama.Lab;

/// <summary>Fields that several rooms ask for.</summary>
internal static class LabFields
{
    /// <summary>A text that is not blank.</summary>
    /// <exception cref="ApiException">It is blank or too long.</exception>
    public static string Text(RequestFields fields, string name, int most)
    {
        var text = RequestFields.TextOf(fields.Require(name), fields.Name(name)).Trim();
        return text.Length == 0 ? throw new ApiException(400, $"'{fields.Name(name)}' is empty.", name)
            : text.Length > most ? throw new ApiException(
                400, $"'{fields.Name(name)}' has {text.Length} characters, the lab takes {most}.", name)
            : text;
    }
}
