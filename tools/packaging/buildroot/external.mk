include $(sort $(wildcard $(BR2_EXTERNAL_CTRBOX_PATH)/package/*/*.mk))
