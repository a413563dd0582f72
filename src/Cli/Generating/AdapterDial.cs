using System.Globalization;
using SafeLlama.Common;
using SafeLlama.Inference;
using SafeLlama.Model;

namespace SafeLlama.Cli;

/// <summary>The adapter of a conversation: on or off, and how strong. Each command returns what became of it.</summary>
internal sealed class AdapterDial(LlamaSession session, LoraAdapter adapter)
{
    private readonly AdapterStrength _strength = new(session.Model.Backend, session.Weights, adapter);
    private double _scale = 1;
    private bool _isOn = true;

    /// <summary><c>/adapter on|off</c>; without a word, nothing changes.</summary>
    public string Switch(string word)
    {
        if (word is not ("" or "on" or "off"))
        {
            return $"/adapter {word}: expected on or off.";
        }

        _isOn = word == "" ? _isOn : word == "on";
        return Apply();
    }

    /// <summary><c>/scale X</c> turns the adapter on, that strong; without a number, nothing changes.</summary>
    public string Scale(string number)
    {
        if (number.Length > 0)
        {
            if (!double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var scale)
                || !double.IsFinite((float)scale))
            {
                return $"/scale {number}: expected a number such as 0.5.";
            }

            (_scale, _isOn) = (scale, true);
        }

        return Apply();
    }

    private string Apply()
    {
        var wanted = _isOn ? _scale : 0;
        if (wanted != _strength.Value)
        {
            _strength.Set(wanted);
        }

        return _isOn ? $"The adapter is on, scale {SettingText.Of(_scale)}. What was said stays; /new forgets it."
            : "The adapter is off: the model answers alone. What was said stays; /new forgets it.";
    }
}
